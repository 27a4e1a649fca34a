"""What opsloom's road costs, always beside a rival in the same run."""

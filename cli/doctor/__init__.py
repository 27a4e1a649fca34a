"""What `opsloom doctor` looks at."""

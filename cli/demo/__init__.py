"""The demo: a script of questions, a stage to run them on, and checks against independent readings."""

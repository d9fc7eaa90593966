"""The stages of `dvc.yaml`: one module for each, with `run(params, layout)`.

The command line, the flows and the tests call them. Nothing else knows which files a stage reads and writes.
"""

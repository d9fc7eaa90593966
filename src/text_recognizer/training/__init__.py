"""Train models: the reader of the pipeline, and the experiments of the FSDL lab."""

"""Charset, parameters, records, metrics, boxes and errors. This package imports no other package of the project."""

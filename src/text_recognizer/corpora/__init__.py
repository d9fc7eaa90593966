"""Transcribed pages: IAM archives, corrections, packed splits, and the Brown corpus."""

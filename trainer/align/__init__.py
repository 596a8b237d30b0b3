"""Alignment training: one LoRA adapter from preference pairs, resumable."""

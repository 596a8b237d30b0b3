"""An OpenAI-compatible server of a base model and its adapters, on llama.cpp."""

"""Jobs that run as their own process: training, reward models, scoring and serving. They meet Attune through a folder only."""

"""chaoslab: chaotic systems as text, integrated in milliseconds, labelled, measured and drawn."""

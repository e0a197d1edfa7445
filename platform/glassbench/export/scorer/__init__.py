"""The code of a scorer's folder: needs NumPy and ONNX Runtime, and nothing of Glassbench once it is written."""

"""What leaves a run: an ONNX file, a PyTorch program, or a folder that scores raw rows with NumPy and ONNX Runtime."""

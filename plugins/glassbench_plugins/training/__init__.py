"""The built-in trainers: Lightning for networks, scikit-learn's own `fit` for estimators."""

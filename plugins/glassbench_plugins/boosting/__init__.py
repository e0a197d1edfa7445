"""Gradient boosting of trees by LightGBM and XGBoost."""

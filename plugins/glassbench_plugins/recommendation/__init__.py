"""Recommendation: interactions of users with items, ratings, rankings, and models of both."""

"""The latent audit: what each entry of a code changes in the rows it stands for."""

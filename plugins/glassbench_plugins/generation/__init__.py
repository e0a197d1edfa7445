"""Generation of pictures under a class: diffusion, flow matching, a variational autoencoder, a mixture."""

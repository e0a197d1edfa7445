"""Where the model does worst, found on half of the rows and tested on the other."""

"""What views of several audits are drawn with: small pictures as arrays of colours."""

"""What plugins and the platform agree on."""

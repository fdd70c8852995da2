"""What there is: resources, products, identifiers, listing, search."""

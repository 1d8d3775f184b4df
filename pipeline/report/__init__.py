"""What a run did and cost, for machines and for people: values in, text and JSON out. Pure."""

"""Where do the private keys of a system live?"""

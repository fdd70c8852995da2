"""How do we speak to other systems over HTTP?"""

"""What can be typed at a prompt?"""

"""Price plans: one capability file each; a plan never knows another."""

"""How do people and programs reach the verbs over HTTP? Pages, and the JSON API."""

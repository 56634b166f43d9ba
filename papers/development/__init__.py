"""How mechanisms inside agents develop."""

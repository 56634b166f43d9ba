"""Where tasks are done: processes of this machine, a Dask cluster, Ray."""

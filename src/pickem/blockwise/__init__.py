"""Work on whole volumes, block by block, on one machine or on many (Dask)."""

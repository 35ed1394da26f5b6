"""Hot spots: where much happens, where it clusters, where it is more than expected."""

"""Figures of a worker, and of all workers of this host together. No label holds what anybody
said, who it was, or where: labels are names of events, codes and kinds, of which there are few."""

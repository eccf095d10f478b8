"""Judge of comparisons: is the challenger better than the champion?"""

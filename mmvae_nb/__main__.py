"`python -m mmvae_nb`; written by hand, since an exported cell would run in its notebook"
import sys
from mmvae_nb.app.commands import main

if __name__=='__main__': sys.exit(main())

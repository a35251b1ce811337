"Everything at once, in the manner of fastai: `from mmvae_nb.all import *`"
from .core import *
from .dists import *
from .lingauss import *
from .experts import *

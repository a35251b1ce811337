"What users need, in the manner of fastai: `from mmvae_nb.all import *`; the rest comes from its module"
from .core import (
    subsets, some_subsets, as_names, choose, Modality, as_modalities, per_modality, nonnegative, register, observed,
    seen, hide, part_of, check_batch, seeded, eval_mode, Stage, set_modes, learning, Answers, MultimodalVAE)
from .dists import (
    likelihoods, normal, laplace, params, remap, register_family, pick, either, beside, NormalHead, LaplaceHead,
    Encoder, NormalPrior, LaplacePrior, Likelihood, NormalLik, LaplaceLik, BernoulliLik, CategoricalLik,
    as_likelihood, Standard, Log1p, SizeFactors, Decoder, kl)
from .nets import (
    MLP, MLPBody, MLPNet, Outputs, quiet, ConvBody, ConvNet, body_for, net_for, body_of, unimodal_encoders, decoder_of,
    decoders, JointEncoder, mnist_svhn, SoundBody, SoundNet, DigitCNN, WideCNN, StridedCNN, classifier_for)
from .papernets import PolyBody, PolyNet
from .liks import (
    PoissonLik, NegBinLik, ZIPoissonLik, ZINegBinLik, MultinomialLik, DirMultLik, LogNormalLik, GammaLik, BetaLik,
    FeatureNormalLik, PredictedNormalLik, StudentLik, OrdinalLik, suggest_likelihood, better_word)
from .mixed import MixedLik
from .files import whole_file
from .progress import bar
from .viz import (
    palette, style, grid, show_images, show_sample, show_samples, show_panels, ellipse, density, latent_plane, dots,
    bars, curves)
from .page import card, whole_page
from .theory.lingauss import LinGauss, lingauss, ExactPosterior, unshare, mvn
from .theory.elbo import rec_terms, log_weights, report, elbo, iwae, dreg
from .theory.coupling import l_jm, l_uni
from .theory.experts import (
    WideExperts, wide_of, counting_wide, poe_posteriors, poe, poe_logp, Stacked, stack, Mixture, moe, mopoe)
from .theory.flows import MADE, maf, FlowPosterior, FlowHead
from .theory.hmc import HMCState, leapfrog, hmc_step, HMCInfo, hmc, ProductPosterior
from .theory.cca import (
    covariances, cca, spectrum, noise_edge, elbow, dcca, Projector, projectors, PairObjective, DCCA, rotations,
    keep, probe)
from .theory.contrastive import nce, mi_bound, infonce, Contrastive
from .theory.mmd import sqdist, rbf, expect_k, gauss_mmd, bandwidth, mmd, imq, mix, witness, mmd_test, paired_mmd
from .data.core import MMData, nan_masks, one_hot, with_labels, same_classes, mcar, missing_by_label, mm_dls
from .data.frames import Frames, as_frames, from_anndata, read_data
from .data.toy import shapes, measure, incoherent, lingauss_data
from .data.digits import (
    sklearn_digits, digits_from_npz, five_backgrounds, invert_on, translate, digit_views, embedded_digits)
from .data.public import (
    alphabet, celeba18, polymnist, mnist, svhn, mnist_svhn_pairs, binary_mnist, mhd, celeba, caption_vocab, cub,
    mirflickr, xrmb)
from .data.multimedia import (
    log_mel, to_sound, spoken_digits, pen_strokes, multimedia_digits, noisy_rotated, add_text, TagWorld,
    tag_posterior)
from .train.learner import Objective, TermRecorder, NaNStop, SameNoise, mm_learner, Anneal
from .train.io import save_model, load_model, push_model, pull_model
from .models.base import ExpertsVAE, JointVAE, PrivateVAE
from .models.jmvae import JMVAE
from .models.telbo import TELBO
from .models.mvae import MVAE, RatioEncoder
from .models.mopoe import assignments, MoPoE
from .models.mvtcae import MVTCAE
from .models.mmvae import MMVAE
from .models.mmvaeplus import AuxPrior, MMVAEPlus
from .models.jnf import JNF
from .models.cmmd import PartialEncoder, CMMD, SplitCMMD
from .models.vcca import CCAClassifier, VCCA, VCCAPrivate, DCCAE
from .models.dmvae import DMVAE
from .models.mmjsd import geometric_mean, js_divergence, MMJSD
from .models.nexus import Nexus
from .models.masked import MaskedJointEncoder, MaskedJMVAE, MaskedJNF
from .models.covariates import Conditional, conditional_on, covariate_rows, covariate_levels, hsic, dependence
from .models.samplers import latent_codes, sampler_gain, GMMSampler, MAFSampler, fit_sampler
from .eval.coherence import hits, coherence, joint_coherence, classifier_accuracy, train_classifiers
from .eval.likelihood import (
    LogLik, loglik, joint_likelihood, pseudo_marginals, conditional_likelihood, normal_range, check_range)
from .eval.fidelity import (
    frechet_distance, frechet, frechet_floor, class_features, Inception, precision_recall, fidelity, class_frechet,
    class_encoders)
from .eval.latents import linear_reader, latent_classification, kmeans_accuracy, to_plane, traverse
from .eval.collapse import dim_kl, collapse, active_units, decoder_collapse
from .eval.reconstruction import mse, ssim, reconstruction
from .eval.measures import class_coherence, attribute_accuracy
from .eval.impute import impute, imputation_error, cohort, small_modalities
from .eval.report import metric, evaluate, overview, write_scores, read_scores
from .eval.page import plain_words, write_report
from .eval.device import pretend_device
from .eval.checks import CheckCase, register_check, CheckReport, check_model
from .app.estimator import MMEstimator, as_table
from .app.fill import write_filled
from .app.explore import alpha_explorer, traversal_explorer, subset_explorer, explore, explore_page, explore_run
from .core import documented
documented(globals())

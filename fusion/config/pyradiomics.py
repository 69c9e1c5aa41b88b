"""What PyRadiomics calls the settings of the radiomics section."""

WHOLE = {
    "resampledPixelSpacing": "spacing_mm", "interpolator": "interpolator", "padDistance": "pad_distance",
    "preCrop": "pre_crop", "normalize": "normalise", "normalizeScale": "normalise_scale",
    "removeOutliers": "remove_outliers", "resegmentRange": "resegment_range", "resegmentMode": "resegment_mode",
    "resegmentShape": "resegment_shape", "minimumROIDimensions": "minimum_dimensions",
    "minimumROISize": "minimum_voxels", "label": "label",
}  # fmt: skip
"""Settings that hold for every image of a region."""
PER_IMAGE = {
    "binWidth": "bin_width", "binCount": "bin_count", "voxelArrayShift": "voxel_shift", "distances": "distances",
    "symmetricalGLCM": "symmetrical_glcm", "weightingNorm": "weighting", "gldm_a": "gldm_alpha",
    "force2D": "force_2d", "force2Ddimension": "force_2d_dimension", "wavelet": "wavelet",
    "start_level": "wavelet_start_level", "level": "wavelet_levels", "gradientUseSpacing": "gradient_use_spacing",
    "lbp3DLevels": "lbp3d_levels", "lbp3DIcosphereRadius": "lbp3d_radius",
    "lbp3DIcosphereSubdivision": "lbp3d_subdivision", "lbp2DRadius": "lbp2d_radius",
    "lbp2DSamples": "lbp2d_samples", "lbp2DMethod": "lbp2d_method",
}  # fmt: skip
"""Settings that an image type may override."""
VOXEL = {"kernelRadius": "kernel_radius", "maskedKernel": "masked_kernel", "initValue": "initial_value"}
"""Settings of feature maps."""
NUMBERLESS = ("additionalInfo", "voxelBatch")
"""Settings that decide no feature: what else is reported, and how much memory is used."""
ELSEWHERE = {
    "label_channel": (0, "delete it and save that channel as a mask of its own"),
    "correctMask": (False, "delete it and set roi.resample_mask=true, or bring the mask onto the image's grid"),
    "geometryTolerance": (None, "delete it and set cohort.tolerance_mm, or tolerance_mm=... in a call"),
}
"""Settings that have their place elsewhere: the value that asks for nothing, and what to do about another."""
FLOATS = (
    "binWidth", "normalizeScale", "removeOutliers", "resampledPixelSpacing", "resegmentRange", "sigma",
    "lbp2DRadius", "lbp3DIcosphereRadius", "initValue",
)  # fmt: skip
"""Settings for which PyRadiomics takes a number written as text, such as nan or 1e-3."""
INTERPOLATORS = {
    1: "sitkNearestNeighbor", 2: "sitkLinear", 3: "sitkBSpline", 4: "sitkGaussian", 5: "sitkLabelGaussian",
    6: "sitkHammingWindowedSinc", 7: "sitkCosineWindowedSinc", 8: "sitkWelchWindowedSinc",
    9: "sitkLanczosWindowedSinc", 10: "sitkBlackmanWindowedSinc",
}  # fmt: skip
"""Interpolators that PyRadiomics' documentation numbers."""

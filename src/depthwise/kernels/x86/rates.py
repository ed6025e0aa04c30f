"""What kernels take on x86: cycles are linear in what a kernel multiplies and in what it writes.

Source: least squares over seven networks on an AMD EPYC (Zen 4) at 3.694 GHz, 2026-11-25, by
`python scripts/measure_rates.py 3.694`, which prints how far off the line is. Other processors differ, by their caches
most of all, so levels for Intel have figures of their own. What Zen 4 has not or does not choose, on tiles and in bf16
with any AVX-512, was measured on an Intel Xeon with AMX, family 6 model 207 (Emerald Rapids), two cores of a shared
virtual machine taken for 3.0 GHz, 2026-12-01.
"""

from __future__ import annotations

from depthwise.kernels.rate import Rate

# By the base of a kernel's name and its instructions, or the float32 lanes of the machine for portable C.
RATES: dict[tuple[str, str], Rate] = {
    ("dwk_classifier_f32", "4 lanes"): Rate(products=3.32, value=0),
    ("dwk_depthwise3x3s1_f32", "4 lanes"): Rate(products=3.59, value=0.0309),
    ("dwk_depthwise3x3s2_f32", "4 lanes"): Rate(products=2.68, value=0.0415),
    ("dwk_pool_f32", "4 lanes"): Rate(products=4.91, value=0),
    ("dwk_product_f32", "4 lanes"): Rate(products=5.08, value=0.271),
    ("dwk_classifier_f32", "8 lanes"): Rate(products=5.04, value=0),
    ("dwk_depthwise3x3s1_f32", "8 lanes"): Rate(products=11, value=0.0101),
    ("dwk_depthwise3x3s2_f32", "8 lanes"): Rate(products=6.27, value=0.0177),
    ("dwk_pool_f32", "8 lanes"): Rate(products=6.75, value=0),
    ("dwk_product_f32", "8 lanes"): Rate(products=14.1, value=0.0272),
    ("dwk_strassen_f32", "8 lanes"): Rate(products=16.2, value=0.175),
    ("dwk_classifier_f32", "16 lanes"): Rate(products=5.36, value=0),
    ("dwk_depthwise3x3s1_f32", "16 lanes"): Rate(products=14.7, value=0.00757),
    ("dwk_depthwise3x3s2_f32", "16 lanes"): Rate(products=10.6, value=0.0104),
    ("dwk_pool_f32", "16 lanes"): Rate(products=7.02, value=0),
    ("dwk_product_f32", "16 lanes"): Rate(products=15.5, value=0),
    ("dwk_strassen_f32", "16 lanes"): Rate(products=17.8, value=0.24),
    ("dwk_classifier_bf16", "4 lanes"): Rate(products=3.86, value=0),
    ("dwk_depthwise3x3s1_bf16", "4 lanes"): Rate(products=1.92, value=0.058),
    ("dwk_depthwise3x3s2_bf16", "4 lanes"): Rate(products=1.8, value=0.0616),
    ("dwk_pool_bf16f32", "4 lanes"): Rate(products=2.91, value=0),
    ("dwk_product_bf16", "4 lanes"): Rate(products=4.13, value=0.771),
    ("dwk_classifier_bf16", "8 lanes"): Rate(products=6.3, value=0),
    ("dwk_depthwise3x3s1_bf16", "8 lanes"): Rate(products=4.47, value=0.0249),
    ("dwk_depthwise3x3s2_bf16", "8 lanes"): Rate(products=4.16, value=0.0267),
    ("dwk_pool_bf16f32", "8 lanes"): Rate(products=5.78, value=0),
    ("dwk_product_bf16", "8 lanes"): Rate(products=12.3, value=0.376),
    ("dwk_classifier_bf16", "16 lanes"): Rate(products=10.4, value=0),
    ("dwk_depthwise3x3s1_bf16", "16 lanes"): Rate(products=6.59, value=0.0169),
    ("dwk_depthwise3x3s2_bf16", "16 lanes"): Rate(products=6.51, value=0.0171),
    ("dwk_pool_bf16f32", "16 lanes"): Rate(products=7.4, value=0),
    ("dwk_product_bf16", "16 lanes"): Rate(products=15.9, value=0.331),
    ("dwk_depthwise3x3s1_bf16", "avx512bf16"): Rate(products=19.5, value=0.00568),
    ("dwk_depthwise3x3s2_bf16", "avx512bf16"): Rate(products=14.2, value=0.00781),
    ("dwk_product_bf16", "avx512bf16"): Rate(products=32.6, value=0.15),
    ("dwk_product_bf16", "avx512bf16vl"): Rate(products=22.5, value=0.00165),
    ("dwk_depthwise3x3s1_bf16", "avx512"): Rate(products=13.9, value=0.00797),
    ("dwk_depthwise3x3s2_bf16", "avx512"): Rate(products=9.29, value=0.012),
    ("dwk_product_tiles_bf16", "amxbf16"): Rate(products=183, value=0.272),
    ("dwk_classifier_i8", "4 lanes"): Rate(products=2.28, value=0.817),
    ("dwk_depthwise3x3s1_i8", "4 lanes"): Rate(products=2.44, value=0.0456),
    ("dwk_depthwise3x3s2_i8", "4 lanes"): Rate(products=1.82, value=0.061),
    ("dwk_pool_i8", "4 lanes"): Rate(products=2.99, value=0.575),
    ("dwk_product_i8", "4 lanes"): Rate(products=3.08, value=0.86),
    ("dwk_classifier_i8", "avx2"): Rate(products=10.1, value=0),
    ("dwk_depthwise3x3s1_i8", "avx2"): Rate(products=10.6, value=0.0105),
    ("dwk_depthwise3x3s2_i8", "avx2"): Rate(products=8.53, value=0.013),
    ("dwk_pool_i8", "avx2"): Rate(products=10.9, value=0.111),
    ("dwk_product_i8", "avx2"): Rate(products=23.1, value=0.199),
    ("dwk_stem_i8", "avx2"): Rate(products=16.5, value=0.00225),
    ("dwk_classifier_i8", "avxvnni"): Rate(products=24.1, value=0),
    ("dwk_depthwise3x3s1_i8", "avxvnni"): Rate(products=23.3, value=0.00477),
    ("dwk_depthwise3x3s2_i8", "avxvnni"): Rate(products=16.5, value=0.00674),
    ("dwk_pool_i8", "avxvnni"): Rate(products=18.5, value=0),
    ("dwk_product_i8", "avxvnni"): Rate(products=61.2, value=0.118),
    ("dwk_stem_i8", "avxvnni"): Rate(products=40.7, value=0.000911),
    ("dwk_classifier_i8", "avx512vnni"): Rate(products=24.7, value=0),
    ("dwk_depthwise3x3s1_i8", "avx512vnni"): Rate(products=30.2, value=0.00367),
    ("dwk_depthwise3x3s2_i8", "avx512vnni"): Rate(products=22.1, value=0.00503),
    ("dwk_pool_i8", "avx512vnni"): Rate(products=27.9, value=0),
    ("dwk_product_i8", "avx512vnni"): Rate(products=64.2, value=0.0703),
    ("dwk_stem_i8", "avx512vnni"): Rate(products=50, value=0.000741),
    ("dwk_stem_abreast_i8", "avx512vbmi"): Rate(products=43.8, value=0.000846),
    ("dwk_product_tiles_i8", "amx"): Rate(products=577, value=0.351),
}

# On Intel's processors with AVX-512, where they differ; by the same script on the Xeon named above, over four of its
# networks at levels `avx512_intel`, `vbmi_intel` and `amx`. Two 512-bit operations a cycle, and weights that come from
# a far cache: the line is further off than on Zen 4, most of all for classifiers.
ON_INTEL: dict[tuple[str, str], Rate] = {
    ("dwk_classifier_f32", "16 lanes"): Rate(products=2.7, value=0),
    ("dwk_depthwise3x3s1_f32", "16 lanes"): Rate(products=15.1, value=0.00737),
    ("dwk_depthwise3x3s2_f32", "16 lanes"): Rate(products=10.1, value=0.011),
    ("dwk_pool_f32", "16 lanes"): Rate(products=7.7, value=0),
    ("dwk_product_f32", "16 lanes"): Rate(products=28, value=0.124),
    ("dwk_strassen_f32", "16 lanes"): Rate(products=30.9, value=0.218),
    ("dwk_classifier_i8", "avx512vnni"): Rate(products=28.2, value=0),
    ("dwk_depthwise3x3s1_i8", "avx512vnni"): Rate(products=29.7, value=0.00374),
    ("dwk_depthwise3x3s2_i8", "avx512vnni"): Rate(products=20.5, value=0.00542),
    ("dwk_pool_i8", "avx512vnni"): Rate(products=19.5, value=0.0896),
    ("dwk_product_i8", "avx512vnni"): Rate(products=118, value=0.162),
    ("dwk_stem_abreast_i8", "avx512vbmi"): Rate(products=49.5, value=0.000748),
    ("dwk_stem_i8", "avx512vnni"): Rate(products=60.3, value=0.000614),
}

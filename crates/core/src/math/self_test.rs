//! Start-up checks: the elementary functions give their known bits, and the host computes in the
//! expected mode.
//!
//! The vectors are lines of `data/vectors/functions.txt`: per function zero and five of the hardest
//! known results.

use super::functions::{BINARY, UNARY};
use std::hint::black_box;

/// Checks every elementary function against embedded results; a few microseconds.
///
/// # Errors
/// Names the first function that fails, with its argument and both results as hexadecimal bits.
pub fn self_test() -> Result<(), String> {
    for &(name, x, y, expected) in VECTORS {
        let found = evaluate(name, black_box(f64::from_bits(x)), black_box(f64::from_bits(y)))?;
        if found.to_bits() != expected {
            return Err(format!(
                "function `{name}` at 0x{x:016x} (0x{y:016x}): expected bits 0x{expected:016x}, \
                 found 0x{:016x} (the program or its host computes differently; do not score)",
                found.to_bits()
            ));
        }
    }
    Ok(())
}

/// Checks that this thread keeps subnormal numbers and rounds to nearest, ties to even. A library
/// in the same process can switch either off (fast-math start-up code does), so each thread that
/// computes asks.
///
/// # Errors
/// Says which operation gave what bits.
pub fn host_float_mode() -> Result<(), String> {
    let tiny = f64::from_bits(1);
    let tie = f64::EPSILON / 2.0;
    let above_tie = 0.75 * f64::EPSILON;
    let next = f64::from_bits(1.0f64.to_bits() + 1);
    let product = |a: f64, b: f64| black_box(a) * black_box(b);
    let sum = |a: f64, b: f64| black_box(a) + black_box(b);
    let checks = [
        ("2^-1074 * 1 (subnormal numbers)", product(tiny, 1.0), tiny),
        (
            "2^-1022 * 0.5 (subnormal numbers)",
            product(f64::MIN_POSITIVE, 0.5),
            f64::from_bits(1 << 51),
        ),
        ("1 + 2^-53 (rounding)", sum(1.0, tie), 1.0),
        ("1 + 3 * 2^-54 (rounding)", sum(1.0, above_tie), next),
        ("-1 - 2^-53 (rounding)", sum(-1.0, -tie), -1.0),
        ("-1 - 3 * 2^-54 (rounding)", sum(-1.0, -above_tie), -next),
        ("1 + 2^-52 + 2^-53 (ties to even)", sum(next, tie), f64::from_bits(next.to_bits() + 1)),
    ];
    for (what, found, expected) in checks {
        if found.to_bits() != expected.to_bits() {
            return Err(format!(
                "host float mode: {what}: expected bits 0x{:016x}, found 0x{:016x} (something in \
                 this process has changed the floating-point mode; load it without fast-math)",
                expected.to_bits(),
                found.to_bits()
            ));
        }
    }
    Ok(())
}

fn evaluate(name: &str, x: f64, y: f64) -> Result<f64, String> {
    let one = UNARY.iter().find(|f| f.0 == name).map(|f| f.1(x));
    let two = || BINARY.iter().find(|f| f.0 == name).map(|f| f.1(x, y));
    one.or_else(two)
        .ok_or_else(|| format!("function `{name}`: not found (the vectors are not ours)"))
}

/// Function, argument, second argument or 0, result.
#[rustfmt::skip]
const VECTORS: &[(&str, u64, u64, u64)] = &[
    ("exp", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("exp", 0xc037_89ef_349a_012c, 0x0000_0000_0000_0000, 0x3dd0_7524_769f_dad1),
    ("exp", 0xc03e_6e5f_1d4c_b2e6, 0x0000_0000_0000_0000, 0x3d31_1d4f_9f84_f65c),
    ("exp", 0x401a_3cfd_8ccb_94c0, 0x0000_0000_0000_0000, 0x4086_0fb1_8840_ac0a),
    ("exp", 0x4040_2012_615a_246a, 0x0000_0000_0000_0000, 0x42d7_1103_1ae2_3783),
    ("exp", 0xbc8f_fe55_3b92_e659, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("exp2", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("exp2", 0xc046_7e95_67c5_e23a, 0x0000_0000_0000_0000, 0x3d20_1f89_8767_3626),
    ("exp2", 0x4046_6831_9765_704a, 0x0000_0000_0000_0000, 0x42bc_2128_b524_e3b8),
    ("exp2", 0x403f_6d35_9eed_00d4, 0x0000_0000_0000_0000, 0x41e5_8146_e91b_19cb),
    ("exp2", 0x402d_2413_4946_3b60, 0x0000_0000_0000_0000, 0x40d7_c28b_cf72_750a),
    ("exp2", 0xc035_141f_5636_bd37, 0x0000_0000_0000_0000, 0x3e9e_4d9c_9491_6146),
    ("exp10", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("exp10", 0xbd75_5446_a363_791b, 0x0000_0000_0000_0000, 0x3fef_ffff_ffff_9dc7),
    ("exp10", 0xc031_83e6_8487_0d5d, 0x0000_0000_0000_0000, 0x3c4c_294e_993e_7b81),
    ("exp10", 0x4010_f504_f68e_7868, 0x0000_0000_0000_0000, 0x40d0_f145_e034_d3f6),
    ("exp10", 0x4021_cb3d_8229_c17a, 0x0000_0000_0000_0000, 0x41c7_81e1_fb10_1201),
    ("exp10", 0xc012_62c5_f5af_c9b4, 0x0000_0000_0000_0000, 0x3efa_8e01_c041_417d),
    ("exp_m1", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("exp_m1", 0x4024_50d9_fae1_933f, 0x0000_0000_0000_0000, 0x40d9_305a_32be_056f),
    ("exp_m1", 0xc012_964d_c2e0_9c54, 0x0000_0000_0000_0000, 0xbfef_b16b_373d_afe4),
    ("exp_m1", 0x4018_b246_939c_50b0, 0x0000_0000_0000_0000, 0x407d_f264_095f_7924),
    ("exp_m1", 0xbe27_275e_016b_19d3, 0x0000_0000_0000_0000, 0xbe27_275e_00e5_1396),
    ("exp_m1", 0xc012_3c2d_3808_8f6a, 0x0000_0000_0000_0000, 0xbfef_aa30_62e1_572a),
    ("ln", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0xfff0_0000_0000_0000),
    ("ln", 0x3fe3_e248_3319_d414, 0x0000_0000_0000_0000, 0xbfde_73e9_fd98_6f28),
    ("ln", 0x085b_50a2_ef31_06c3, 0x0000_0000_0000_0000, 0xc083_42ed_dcdd_b087),
    ("ln", 0x4032_5f5a_583a_87c6, 0x0000_0000_0000_0000, 0x4007_496d_8bc8_b9e2),
    ("ln", 0x4032_73c3_130f_7ce8, 0x0000_0000_0000_0000, 0x4007_524b_a648_e804),
    ("ln", 0x4025_63a1_7a75_7f76, 0x0000_0000_0000_0000, 0x4002_f539_442b_568a),
    ("log2", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0xfff0_0000_0000_0000),
    ("log2", 0x3fe0_26d8_155d_086c, 0x0000_0000_0000_0000, 0xbfef_9072_a34d_ed35),
    ("log2", 0x0fc5_ca18_af18_42da, 0x0000_0000_0000_0000, 0xc088_146f_7fba_a57c),
    ("log2", 0x2733_3d78_2964_f865, 0x0000_0000_0000_0000, 0xc078_bbbe_4712_e0a2),
    ("log2", 0x4011_e7dd_bf29_1233, 0x0000_0000_0000_0000, 0x4001_4c7d_bf1c_b0a9),
    ("log2", 0x4031_2d6e_9b31_c9f4, 0x0000_0000_0000_0000, 0x4010_68e7_7ded_b468),
    ("log10", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0xfff0_0000_0000_0000),
    ("log10", 0x4021_82fc_2cd0_250b, 0x0000_0000_0000_0000, 0x3fee_274c_bb2b_dbb5),
    ("log10", 0x4018_f217_4293_2478, 0x0000_0000_0000_0000, 0x3fe9_701b_cfc9_1324),
    ("log10", 0x402a_5b1b_a148_989c, 0x0000_0000_0000_0000, 0x3ff1_eae5_6b08_d282),
    ("log10", 0x4019_f5d9_b450_73d0, 0x0000_0000_0000_0000, 0x3fe9_fdf4_fafb_2c09),
    ("log10", 0x4014_0777_5c7f_14be, 0x0000_0000_0000_0000, 0x3fe6_6325_8663_b7e3),
    ("ln_1p", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("ln_1p", 0xbfd0_af68_a885_aeb8, 0x0000_0000_0000_0000, 0xbfd3_54f2_6482_3f59),
    ("ln_1p", 0x4001_d530_5439_0038, 0x0000_0000_0000_0000, 0x3ff2_c157_2526_79cf),
    ("ln_1p", 0x400e_ac07_03f5_bbc2, 0x0000_0000_0000_0000, 0x3ff9_35f5_bfdb_8b59),
    ("ln_1p", 0xbe48_53da_8971_9e88, 0x0000_0000_0000_0000, 0xbe48_53da_8bc1_72f9),
    ("ln_1p", 0x3fdf_0d62_691c_4f78, 0x0000_0000_0000_0000, 0x3fd9_5097_cb2b_da01),
    ("sqrt", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("sqrt", 0x0ce0_702c_5950_736f, 0x0000_0000_0000_0000, 0x2666_ef66_c66a_8ff7),
    ("sqrt", 0x400d_e417_6cca_cf96, 0x0000_0000_0000_0000, 0x3ffe_ed71_e45d_3b6a),
    ("sqrt", 0x400d_69d1_c629_9028, 0x0000_0000_0000_0000, 0x3ffe_adef_20db_62bb),
    ("sqrt", 0x3fff_ef60_acc3_fbfc, 0x0000_0000_0000_0000, 0x3ff6_9abd_26db_927c),
    ("sqrt", 0x78a7_cc06_887e_00a7, 0x0000_0000_0000_0000, 0x5c4b_9868_ad76_5617),
    ("rsqrt", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x7ff0_0000_0000_0000),
    ("rsqrt", 0x400e_6f6d_ae14_b906, 0x0000_0000_0000_0000, 0x3fe0_67f8_c959_303a),
    ("rsqrt", 0x3f27_0ae8_de61_69cd, 0x0000_0000_0000_0000, 0x4052_dae8_85ff_90f4),
    ("rsqrt", 0x7b85_9f8e_e072_2100, 0x0000_0000_0000_0000, 0x2223_76cf_05df_ea2a),
    ("rsqrt", 0x400d_24e9_702c_73a9, 0x0000_0000_0000_0000, 0x3fe0_c3fe_1b3d_6bad),
    ("rsqrt", 0x29a2_ac27_2c75_09ac, 0x0000_0000_0000_0000, 0x4b14_f216_ca43_036a),
    ("cbrt", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("cbrt", 0xc01d_a127_6d13_05fe, 0x0000_0000_0000_0000, 0xbfff_3081_bfac_d413),
    ("cbrt", 0xc019_99dc_ec91_dde0, 0x0000_0000_0000_0000, 0xbffd_b4e1_806d_6044),
    ("cbrt", 0x07dd_6760_bd61_fc40, 0x0000_0000_0000_0000, 0x2d3f_1c2e_b6cd_2638),
    ("cbrt", 0xbfe3_b35e_c8d3_4240, 0x0000_0000_0000_0000, 0xbfeb_38f1_6959_badf),
    ("cbrt", 0x401c_ce67_0a5b_6ecc, 0x0000_0000_0000_0000, 0x3ffe_e5dc_ae3c_ac47),
    ("sin", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("sin", 0xd19b_d292_3380_ff30, 0x0000_0000_0000_0000, 0x3fea_a11d_21ce_0477),
    ("sin", 0x4031_bf04_7d4b_1266, 0x0000_0000_0000_0000, 0xbfec_9156_ca2c_f331),
    ("sin", 0xfc2f_9330_8184_a4c5, 0x0000_0000_0000_0000, 0xbfef_3ba9_3547_34e7),
    ("sin", 0xc028_dea8_9373_1f12, 0x0000_0000_0000_0000, 0x3fc0_c848_6fec_6db0),
    ("sin", 0xc0d7_29c4_c3ef_559e, 0x0000_0000_0000_0000, 0xbfa9_8cf6_371e_9605),
    ("cos", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("cos", 0xc019_a9c5_f37f_9ca8, 0x0000_0000_0000_0000, 0x3fef_b813_ad21_7145),
    ("cos", 0x402e_d131_ed79_3e84, 0x0000_0000_0000_0000, 0xbfee_939e_2b19_fdda),
    ("cos", 0x6e52_cdb6_ae65_bd3a, 0x0000_0000_0000_0000, 0x3feb_3c1a_b93c_adca),
    ("cos", 0x6b89_427b_3f15_d80a, 0x0000_0000_0000_0000, 0x3fc5_84cf_6aaa_5740),
    ("cos", 0x4032_6e71_caff_3dd2, 0x0000_0000_0000_0000, 0x3fed_3e40_4823_059e),
    ("tan", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("tan", 0xc01c_c94e_c909_2646, 0x0000_0000_0000_0000, 0xbff4_ba26_5501_f227),
    ("tan", 0xc022_23d0_af47_d19c, 0x0000_0000_0000_0000, 0x3fd7_b666_1b45_b895),
    ("tan", 0xc2ba_28e3_0f04_53f9, 0x0000_0000_0000_0000, 0xbf93_9a12_dde8_0840),
    ("tan", 0xc00f_6e73_1160_9470, 0x0000_0000_0000_0000, 0xbff0_0feb_8923_2e3d),
    ("tan", 0xc026_e112_13b5_6836, 0x0000_0000_0000_0000, 0x4000_d143_4a83_edcd),
    ("asin", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("asin", 0xbfe5_192e_c2d0_de86, 0x0000_0000_0000_0000, 0xbfe7_0994_5b35_f467),
    ("asin", 0xbfe7_9c9f_7c5f_55bc, 0x0000_0000_0000_0000, 0xbfea_8e9a_6883_d106),
    ("asin", 0xbfae_9e7d_c2f9_1cae, 0x0000_0000_0000_0000, 0xbfae_a32b_c993_5afe),
    ("asin", 0x3fdd_8f99_02a0_45c4, 0x0000_0000_0000_0000, 0x3fde_ba5b_a95e_e36a),
    ("asin", 0x3fc4_a78d_e3d8_ebc0, 0x0000_0000_0000_0000, 0x3fc4_bec6_117e_5da2),
    ("acos", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff9_21fb_5444_2d18),
    ("acos", 0x3dae_1858_d238_7997, 0x0000_0000_0000_0000, 0x3ff9_21fb_5443_3c56),
    ("acos", 0x3fcd_6799_f4d0_3f50, 0x0000_0000_0000_0000, 0x3ff5_6c8d_6f22_e016),
    ("acos", 0x3f65_8cac_d32b_0cfd, 0x0000_0000_0000_0000, 0x3ff9_1734_fd0a_1bb4),
    ("acos", 0x3fe1_4b99_d758_e104, 0x0000_0000_0000_0000, 0x3fef_fe48_869f_a065),
    ("acos", 0x3fe2_4d28_9c9a_a34e, 0x0000_0000_0000_0000, 0x3fee_c852_40de_83c8),
    ("atan", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("atan", 0x42c9_ac07_be48_9187, 0x0000_0000_0000_0000, 0x3ff9_21fb_5444_2cc9),
    ("atan", 0xbfff_48c6_dc70_ee18, 0x0000_0000_0000_0000, 0xbff1_9191_e605_608a),
    ("atan", 0xc019_754e_d787_f9c6, 0x0000_0000_0000_0000, 0xbff6_a3a2_f96e_8c1f),
    ("atan", 0x4010_26d8_0979_0a18, 0x0000_0000_0000_0000, 0x3ff5_3f9b_a735_fd78),
    ("atan", 0x401b_57d4_5a4a_03c8, 0x0000_0000_0000_0000, 0x3ff6_cf00_5042_626a),
    ("sinh", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("sinh", 0x3fef_b76b_3358_d08f, 0x0000_0000_0000_0000, 0x3ff2_95d0_1c64_d392),
    ("sinh", 0xc01e_f991_53fe_03f0, 0x0000_0000_0000_0000, 0xc092_0611_b784_3f06),
    ("sinh", 0xc02c_e53f_af96_c8eb, 0x0000_0000_0000_0000, 0xc12c_b6de_eea7_964a),
    ("sinh", 0xc032_a8e9_f792_d786, 0x0000_0000_0000_0000, 0xc18e_4869_ec11_886e),
    ("sinh", 0xc033_15b2_4f2a_b566, 0x0000_0000_0000_0000, 0xc197_289b_0a10_3eb2),
    ("cosh", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("cosh", 0xc048_4f26_8026_21d5, 0x0000_0000_0000_0000, 0x4441_a601_7985_1c74),
    ("cosh", 0x4004_65b1_2e20_02e0, 0x0000_0000_0000_0000, 0x4019_c2f6_70b2_1612),
    ("cosh", 0xc008_1e39_57d7_b0d0, 0x0000_0000_0000_0000, 0x4024_6ee6_ee7f_db34),
    ("cosh", 0x4020_93ad_add2_67fc, 0x0000_0000_0000_0000, 0x409f_1334_6d48_7fdc),
    ("cosh", 0x4020_a433_af8f_793c, 0x0000_0000_0000_0000, 0x40a0_0c10_1c5b_f8af),
    ("tanh", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("tanh", 0x3f72_2fc3_4a4d_02c5, 0x0000_0000_0000_0000, 0x3f72_2fbb_753c_efda),
    ("tanh", 0xbfd0_f806_3d89_e430, 0x0000_0000_0000_0000, 0xbfd0_9503_dac3_50c6),
    ("tanh", 0xc011_9baa_b7d1_40d9, 0x0000_0000_0000_0000, 0xbfef_fd8a_6bd4_7554),
    ("tanh", 0xc006_ee53_9bef_31d6, 0x0000_0000_0000_0000, 0xbfef_cb1d_e2fd_4ea3),
    ("tanh", 0xc011_d440_66f0_a37e, 0x0000_0000_0000_0000, 0xbfef_fdcc_48d4_2ac7),
    ("asinh", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("asinh", 0xc6c8_6c4d_eed4_b753, 0x0000_0000_0000_0000, 0xc053_2ad3_02c4_6a6a),
    ("asinh", 0xdb5d_c46f_92d6_524d, 0x0000_0000_0000_0000, 0xc073_0e99_5561_cab9),
    ("asinh", 0xc033_b6b9_1a59_99b4, 0x0000_0000_0000_0000, 0xc00d_669e_6630_4451),
    ("asinh", 0xc033_a27c_6911_e10e, 0x0000_0000_0000_0000, 0xc00d_5e66_85d3_0ba1),
    ("asinh", 0xc028_236b_16c1_22da, 0x0000_0000_0000_0000, 0xc009_7bee_ae81_1c54),
    ("acosh", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x7ff8_0000_0000_0000),
    ("acosh", 0x4042_671c_71cb_7d56, 0x0000_0000_0000_0000, 0x4011_31c7_2e79_f8ae),
    ("acosh", 0x6005_44e4_9d21_a554, 0x0000_0000_0000_0000, 0x4076_48ff_4130_a15e),
    ("acosh", 0x403b_c5b3_4e49_3b19, 0x0000_0000_0000_0000, 0x4010_1143_f788_464b),
    ("acosh", 0x4035_7de5_f71f_d350, 0x0000_0000_0000_0000, 0x400e_150b_d97c_5496),
    ("acosh", 0x403a_5dcf_7058_edc5, 0x0000_0000_0000_0000, 0x400f_b812_cce0_5eb7),
    ("atanh", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("atanh", 0x3fc7_ca98_c4e3_d010, 0x0000_0000_0000_0000, 0x3fc8_1239_f024_be4a),
    ("atanh", 0x3fdf_16a6_195b_a3ad, 0x0000_0000_0000_0000, 0x3fe0_f9cb_2517_b159),
    ("atanh", 0xbfc6_cc0e_e3e4_6eb0, 0x0000_0000_0000_0000, 0xbfc7_0af7_a414_32f0),
    ("atanh", 0x3fe6_fc7b_ee43_1c3e, 0x0000_0000_0000_0000, 0x3fec_eeef_ab48_182e),
    ("atanh", 0xbf84_2d9b_7252_e43b, 0x0000_0000_0000_0000, 0xbf84_2dc6_3d38_6164),
    ("erf", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("erf", 0xbed4_4cad_ec41_c432, 0x0000_0000_0000_0000, 0xbed6_e7d3_234e_2b54),
    ("erf", 0x3e12_3c85_3f58_77d3, 0x0000_0000_0000_0000, 0x3e14_93dc_7c40_06ec),
    ("erf", 0xc011_d8c2_9299_d540, 0x0000_0000_0000_0000, 0xbfef_ffff_ffd9_9796),
    ("erf", 0x400a_d878_7107_161c, 0x0000_0000_0000_0000, 0x3fef_fffb_a450_270e),
    ("erf", 0x4008_4316_1a8c_f054, 0x0000_0000_0000_0000, 0x3fef_ffda_5acd_a24d),
    ("erfc", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("erfc", 0x401d_4d8d_d0cd_68b0, 0x0000_0000_0000_0000, 0x3add_1e5d_2f33_bb83),
    ("erfc", 0x4029_e789_b6eb_9de8, 0x0000_0000_0000_0000, 0x3085_d476_d602_9a05),
    ("erfc", 0xc015_5482_8522_024f, 0x0000_0000_0000_0000, 0x3fff_ffff_ffff_ff2e),
    ("erfc", 0x4032_6913_84a3_1947, 0x0000_0000_0000_0000, 0x210f_76ff_696c_3958),
    ("erfc", 0x4001_4bae_5467_2cd4, 0x0000_0000_0000_0000, 0x3f62_493a_85e5_9b68),
    ("sin_pi", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("sin_pi", 0xbff5_2698_9123_4acc, 0x0000_0000_0000_0000, 0x3feb_1f1f_bef7_b0a5),
    ("sin_pi", 0xbfb6_d541_0c5f_2a40, 0x0000_0000_0000_0000, 0xbfd1_b303_4f27_c1da),
    ("sin_pi", 0x404a_9ae3_6c90_fa85, 0x0000_0000_0000_0000, 0xbfe3_9e43_db88_94f2),
    ("sin_pi", 0xbed2_a7eb_57c0_52b1, 0x0000_0000_0000_0000, 0xbeed_4dff_1afa_67ae),
    ("sin_pi", 0x3ff0_1a57_59ee_255c, 0x0000_0000_0000_0000, 0xbf94_afda_fd17_2e7d),
    ("cos_pi", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("cos_pi", 0x3fee_a221_74f6_4c18, 0x0000_0000_0000_0000, 0xbfef_b65f_5e2d_cbfb),
    ("cos_pi", 0xbfb6_0104_8f11_e75a, 0x0000_0000_0000_0000, 0x3fee_d725_9c74_7d9c),
    ("cos_pi", 0x3fd8_211f_15ca_42b0, 0x0000_0000_0000_0000, 0x3fd8_1da0_4c89_1d52),
    ("cos_pi", 0xc085_40e1_7318_d628, 0x0000_0000_0000_0000, 0x3fee_1af9_1b2a_0904),
    ("cos_pi", 0xc0d5_4f61_5b24_2e11, 0x0000_0000_0000_0000, 0x3fb1_0716_00c4_f016),
    ("tan_pi", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("tan_pi", 0x3ff2_118f_ecc5_8634, 0x0000_0000_0000_0000, 0x3fdb_867f_ec25_6385),
    ("tan_pi", 0x40fd_0b3f_b5d8_3e2b, 0x0000_0000_0000_0000, 0xbfad_26f3_fe9d_0893),
    ("tan_pi", 0xbfb1_9b01_5d14_3980, 0x0000_0000_0000_0000, 0xbfcc_17d6_9ff1_ffc9),
    ("tan_pi", 0xc001_e4b6_f2f2_29e4, 0x0000_0000_0000_0000, 0xbfed_6d6c_a6ce_3977),
    ("tan_pi", 0x4006_9363_1c96_a20e, 0x0000_0000_0000_0000, 0xbfe4_0816_e61a_e49f),
    ("ln_gamma", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x7ff0_0000_0000_0000),
    ("ln_gamma", 0x5628_c33d_cade_3f39, 0x0000_0000_0000_0000, 0x56a7_bf55_1913_05e2),
    ("ln_gamma", 0x4049_dd95_abd4_b850, 0x0000_0000_0000_0000, 0x4062_eb37_730a_93b2),
    ("ln_gamma", 0x4050_aa67_a727_39d2, 0x0000_0000_0000_0000, 0x406a_83bd_5387_1d8a),
    ("ln_gamma", 0x403d_4945_187d_ddd4, 0x0000_0000_0000_0000, 0x4051_3665_e004_2c5a),
    ("ln_gamma", 0xc031_a73b_db9f_7a0c, 0x0000_0000_0000_0000, 0xc041_0f8e_b54b_7050),
    ("pow", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x3ff0_0000_0000_0000),
    ("pow", 0x4023_3f65_4fd6_164a, 0xc01a_003d_f8aa_75d0, 0x3e9b_36b9_e9e1_2888),
    ("pow", 0x401c_b32e_09d4_0e2c, 0x4006_7a6c_7213_ff58, 0x406f_bcda_295d_b56c),
    ("pow", 0x4005_2543_69c1_0b47, 0xc02c_9142_a487_4a92, 0x3eaf_5880_867a_b977),
    ("pow", 0x3ff9_d3b7_67fc_4c14, 0xc011_2eb4_4759_d338, 0x3fc0_5d79_885c_5720),
    ("pow", 0x3fd6_b48f_66b7_a8d4, 0x402c_d41e_09f3_8ef4, 0x3e95_db69_c429_cb37),
    ("hypot", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("hypot", 0xc013_c885_55f6_17f7, 0xc01a_3ac2_43a4_2b35, 0x4020_6d46_72e1_aed8),
    ("hypot", 0xc016_4c68_a9c0_e204, 0x4010_2f6c_2d3c_7ec0, 0x401b_8da4_a71f_62ea),
    ("hypot", 0xc017_960e_a3cf_668c, 0x3ff7_5c17_89e1_e070, 0x4018_4c63_5ba1_d215),
    ("hypot", 0x4006_b98b_ab35_fa40, 0xc020_b2e4_db6b_5580, 0x4021_a386_2e1a_9889),
    ("hypot", 0xbf76_c740_d9a9_7000, 0x4006_ef36_5539_f420, 0x4006_ef39_292b_e720),
    ("atan2", 0x0000_0000_0000_0000, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000),
    ("atan2", 0x3f56_6b0a_6dfd_90bf, 0xc18c_560d_99ff_d30b, 0x4009_21fb_5443_6290),
    ("atan2", 0xc1c8_080c_3b63_3985, 0xbe8d_6bbc_6f6a_c31b, 0xbff9_21fb_5444_2d1a),
    ("atan2", 0x400d_1f68_e775_aa60, 0x401d_e40f_d817_c594, 0x3fdd_031d_a6ff_756c),
    ("atan2", 0x3ff7_df99_caef_8a28, 0x400e_c441_f586_5294, 0x3fd7_afb0_84f5_80af),
    ("atan2", 0xc056_7f21_453d_09a1, 0xbfbd_75cb_a202_754b, 0xbff9_2738_4b6c_2050),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pass_here() {
        assert_eq!(self_test(), Ok(()));
        assert_eq!(host_float_mode(), Ok(()));
    }

    #[test]
    fn every_function_has_vectors() {
        for name in UNARY.iter().map(|f| f.0).chain(BINARY.iter().map(|f| f.0)) {
            assert!(VECTORS.iter().filter(|v| v.0 == name).count() >= 6, "{name}");
        }
        assert!(evaluate("none", 0.0, 0.0).is_err());
    }
}

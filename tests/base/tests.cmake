destra_test(base/test_rng models_base)
destra_test(base/test_base models_base)

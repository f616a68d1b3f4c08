destra_test(kernel/test_kernel sim_kernel LABELS determinism)
destra_test(kernel/test_order sim_kernel LABELS property)
destra_test(kernel/test_digest sim_kernel)
destra_test(kernel/test_phold sim_kernel LABELS determinism)

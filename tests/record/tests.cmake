destra_test(record/test_record sim_record LABELS unit determinism)
destra_test(record/test_interrupted sim_record LABELS unit property)
destra_test(record/test_open sim_record LABELS unit)
destra_test(record/test_study sim_record LABELS unit determinism)

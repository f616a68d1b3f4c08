destra_test(golden/test_golden sim_world m LABELS golden)

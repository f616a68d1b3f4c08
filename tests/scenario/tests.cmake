destra_test(scenario/test_value sim_scenario LABELS unit property)
destra_test(scenario/test_scenario sim_scenario LABELS unit)
destra_test(scenario/test_refuse sim_scenario LABELS unit)
destra_test(scenario/test_mutate sim_scenario LABELS fuzz)

destra_test(workload/test_tabulate sim_workload LABELS statistics)
destra_test(workload/test_demand sim_workload LABELS statistics)

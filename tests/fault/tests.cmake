destra_test(fault/test_schedule sim_fault LABELS "unit;property")
destra_test(fault/test_faults sim_world m LABELS fault)

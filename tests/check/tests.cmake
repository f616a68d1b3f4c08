destra_test(check/test_check sim_check LABELS "unit;property")
destra_test(check/test_ledger sim_check LABELS "unit;property")
destra_test(check/test_accountable sim_check LABELS "unit;property")
destra_test(check/test_planted sim_world m LABELS property)

destra_test(net/test_topology sim_net LABELS unit)
destra_test(net/test_overlay sim_net LABELS unit)
destra_test(net/test_link sim_net LABELS unit)
destra_test(net/test_link_statistics sim_net LABELS statistics)

destra_test(node/test_mempool models_node LABELS "unit;property")
destra_test(node/test_garbage models_adversary LABELS fuzz)
destra_test(node/test_serve models_adversary LABELS unit)
destra_test(node/test_node models_adversary LABELS unit)

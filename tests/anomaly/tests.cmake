destra_test(anomaly/test_fdr models_anomaly m LABELS "unit;statistics")
destra_test(anomaly/test_conformal models_anomaly m LABELS "unit;statistics")
destra_test(anomaly/test_detectors models_anomaly m LABELS "unit;property")
destra_test(anomaly/test_anomaly models_anomaly m LABELS "unit;statistics")

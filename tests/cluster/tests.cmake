# Clusters: MPI's ranks and Slurm's job arrays give the bytes of a plain sweep.
if(TARGET destrasim-mpi)
  add_test(NAME cli_sweep_mpi
    COMMAND /usr/bin/python3 -B "${CMAKE_CURRENT_SOURCE_DIR}/cli/test_sweep_mpi.py"
      "$<TARGET_FILE:destrasim>" "${CMAKE_SOURCE_DIR}")
  set_tests_properties(cli_sweep_mpi PROPERTIES LABELS "determinism" SKIP_RETURN_CODE 77 TIMEOUT 300
    ENVIRONMENT "DESTRA_MPI=$<TARGET_FILE:destrasim-mpi>")
endif()
if(TARGET destrasim)
  add_test(NAME cluster_slurm COMMAND "${CMAKE_CURRENT_SOURCE_DIR}/cluster/test_sweep.sh"
    "$<TARGET_FILE:destrasim>" "${CMAKE_SOURCE_DIR}")
  set_tests_properties(cluster_slurm PROPERTIES LABELS "slow" SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()

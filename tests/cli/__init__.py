"""The commands.

Where it is tested what users of such software met when they ran it:

- no home, no cache, a checkout that cannot be written: `test_cli`, `tests.book.test_workspace`
- preferences for Keras and Matplotlib: `tests.training.test_interference`, `tests.book.test_style`
- papermill's parameters as text, two notebooks at once: `tests.book.test_workspace`
- two kernels that compile the same function: `tests.book.test_warm_up`
- a kill, a second Ctrl-C, TensorBoard after a kill: `tests.training.test_interference`
- a finished run asked for more: `tests.training.test_legs`
- the time that is left, and a log without a terminal: `tests.training.test_stage_progress`
- who may read what is written: `tests.files.test_tensors`
- a run that was moved: `test_moved`
"""

# The functions of this app stand in functions.json, where the worker of the tests finds them.

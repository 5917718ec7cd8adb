"""The pages: what people see in a browser, over the services that the API and the commands use."""

"""The door of the admin: attempts are counted there as well."""

from django.contrib import admin

from readrealm.accounts.forms import AdminLogInForm

admin.site.login_form = AdminLogInForm
